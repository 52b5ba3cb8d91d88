"""The farmer's working papers: the questionnaire and the self-tests, with their texts in every language."""
