def handle(event, context):
    """event has body (bytes), headers, method, query and path; see the notes of faas-cli new."""
    return {
        "statusCode": 200,
        "headers": {"Content-Type": event.headers.get("Content-Type") or "application/octet-stream"},
        "body": event.body,
    }
