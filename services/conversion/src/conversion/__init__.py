"""Station 2: hunters turn known needs into first sales."""
