"""The HTTP API and the page that uses it; `mien.serve.app.build` puts them together."""
