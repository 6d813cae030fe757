"""The quote API: prices over HTTP, from the same desk as `shelfprice quote`, for programs on this machine."""
