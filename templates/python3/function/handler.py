def handle(req):
    """req is the request's body as a string; what is returned is the answer."""
    return req
