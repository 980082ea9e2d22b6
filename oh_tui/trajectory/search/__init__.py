"""Steps by what they are: words of a filter, texts, numbers, order."""
