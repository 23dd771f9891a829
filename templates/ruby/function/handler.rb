class Handler
  # body is an IO, headers a Hash with names in lower case. def run(body) gets the body as a String.
  def run(body, headers)
    [body.read, { "Content-Type" => headers["content-type"] || "text/plain" }, 200]
  end
end
