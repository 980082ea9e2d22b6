"""The made-up runs, one function each; `oh_tui.demo.catalog` says which conversation is which."""
