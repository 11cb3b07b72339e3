"""What `python app.py` does at the command line beside running: for those who keep the server."""
