import os


def handle(req):
    name = req.strip() or "stranger"
    return f"Hello, {name}! Python says so, called by {os.environ.get('Http_Method', 'nobody')}.\n"
