"""Pictures as numbers: where each bar and band stands. Pure; the templates write them as inline SVG."""
