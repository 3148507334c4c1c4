"""What an editor shows, one feature a file: plain results, no protocol."""
