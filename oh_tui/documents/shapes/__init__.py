"""The types of the documents, which builders and schemas share."""
