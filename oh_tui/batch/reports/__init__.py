"""Reports on runs: commands print them, the server of tools gives pages of them."""
