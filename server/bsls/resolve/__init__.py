"""Names and calls as they stand in the text, whether evaluated or not."""
