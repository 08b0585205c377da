"""One module a stop. To add one, add a module here that defines `STOP`."""
