# frozen_string_literal: true

# Serves the handler over HTTP. The watchdog starts this once, names the port, and sends requests here.

require "json"
require "socket"
require "stringio"

if File.directory?(File.join(__dir__, "function/vendor"))
  ENV["BUNDLE_GEMFILE"] = File.join(__dir__, "function/Gemfile")
  ENV["BUNDLE_PATH"] = File.join(__dir__, "function/vendor")
  require "bundler/setup"
end
require_relative "function/handler"

Request = Struct.new(:method, :target, :version, :headers, :body)

# The requests of one connection, read one after the other.
class Connection
  class Broken < StandardError; end

  MAX_LINE = 65_536
  REASONS = { 200 => "OK", 201 => "Created", 202 => "Accepted", 204 => "No Content", 301 => "Moved Permanently",
              302 => "Found", 304 => "Not Modified", 400 => "Bad Request", 401 => "Unauthorized",
              403 => "Forbidden", 404 => "Not Found", 500 => "Internal Server Error" }.freeze
  FRAMING = %w[connection content-length keep-alive transfer-encoding].freeze

  def initialize(socket)
    @socket = socket
    @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
  end

  # nil when the other side has closed.
  def read
    line = @socket.gets("\n", MAX_LINE) or return nil
    method, target, version = line.split
    raise Broken, "no request line" unless version&.start_with?("HTTP/1.")

    headers = read_headers
    @socket.write("HTTP/1.1 100 Continue\r\n\r\n") if headers["expect"]&.casecmp?("100-continue")
    Request.new(method, target, version, headers, read_body(headers))
  end

  def write(request, status, headers, body)
    bodyless = status == 204 || status == 304
    head = +"HTTP/1.1 #{status} #{REASONS.fetch(status, 'Status')}\r\n"
    headers.each do |name, value|
      head << "#{name}: #{value}\r\n" unless FRAMING.include?(name.to_s.downcase)
    end
    head << "Content-Length: #{body.bytesize}\r\n" unless bodyless
    head << "\r\n"
    head = head.b << body.b unless bodyless || request.method == "HEAD"
    @socket.write(head)
  end

  private

  def read_line
    line = @socket.gets("\n", MAX_LINE)
    raise Broken, "the request ends too early" unless line&.end_with?("\n")

    line.chomp
  end

  def read_headers
    headers = {}
    until (line = read_line).empty?
      name, value = line.split(":", 2)
      name = name.downcase
      value = value.to_s.strip
      headers[name] = headers.key?(name) ? "#{headers[name]}, #{value}" : value
    end
    headers
  end

  def read_exactly(length)
    data = length.zero? ? "".b : @socket.read(length)
    raise Broken, "the request's body ends too early" if data.nil? || data.bytesize < length

    data
  end

  def read_body(headers)
    return read_chunks if headers["transfer-encoding"]&.downcase&.include?("chunked")

    read_exactly(Integer(headers["content-length"] || "0", 10))
  end

  def read_chunks
    body = "".b
    until (size = Integer(read_line[/\A\h+/] || raise(Broken, "bad chunk"), 16)).zero?
      body << read_exactly(size)
      read_line
    end
    nil until read_line.empty? # trailers
    body
  end
end

# Calls Handler#run(body), Handler#run(body, headers) or Handler#run(body, headers, request).
class Function
  def initialize
    @forms = Handler.instance_method(:run).arity
    @forms = -@forms - 1 if @forms.negative?
  end

  # Status, headers, body.
  def call(request)
    handler = Handler.new
    case @forms
    when 0, 1 then answer(handler.run(request.body.dup.force_encoding(Encoding::UTF_8)))
    when 2 then answer(handler.run(StringIO.new(request.body), request.headers))
    else answer(handler.run(StringIO.new(request.body), request.headers, request))
    end
  end

  private

  # A body alone, or [body, headers, status].
  def answer(said)
    body, headers, status = said.is_a?(Array) ? said : [said, nil, nil]
    headers = (headers || {}).transform_keys(&:to_s)
    body, type = encode(body)
    headers.each { |pair| raise "header #{pair} has a line feed in it" if pair.join.match?(/[\r\n]/) }
    headers["Content-Type"] = type unless headers.keys.any? { |name| name.casecmp?("content-type") }
    [Integer(status || 200), headers, body]
  end

  def encode(body)
    case body
    when nil then ["", "text/plain"]
    when String then [body, "text/html; charset=utf-8"]
    when Hash then [JSON.generate(body), "application/json"]
    else body.respond_to?(:read) ? [body.read.to_s, "application/octet-stream"] : [body.to_s, "text/plain"]
    end
  end
end

# How many requests are being answered, so that the end can wait for them.
class InFlight
  def initialize
    @mutex = Mutex.new
    @changed = ConditionVariable.new
    @count = 0
  end

  def track
    @mutex.synchronize { @count += 1 }
    yield
  ensure
    @mutex.synchronize do
      @count -= 1
      @changed.broadcast
    end
  end

  def wait_for_none
    @mutex.synchronize { @changed.wait(@mutex) until @count.zero? }
  end
end

def serve(socket, function, in_flight)
  connection = Connection.new(socket)
  while (request = connection.read)
    in_flight.track { connection.write(request, *attempt(function, request)) }
    break if request.version == "HTTP/1.0" || request.headers["connection"]&.casecmp?("close")
  end
rescue Connection::Broken, ArgumentError => e
  warn e.message
rescue SystemCallError, IOError
  nil # the other side has left
ensure
  socket.close
end

def attempt(function, request)
  function.call(request)
rescue StandardError, NotImplementedError, ScriptError => e
  warn e.full_message(highlight: false)
  [500, { "Content-Type" => "text/plain" }, "Internal Server Error\n"]
end

$stdout.sync = true # what is printed is a log line at once
function = Function.new
in_flight = InFlight.new
server = TCPServer.new("127.0.0.1", Integer(ENV["http_port"] || ENV["PORT"] || "5000", 10))
server.listen(1024)
stop_reader, stop_writer = IO.pipe
%w[TERM INT].each { |name| trap(name) { stop_writer.write_nonblock(".") } }
Thread.new do
  loop { Thread.new(server.accept) { |socket| serve(socket, function, in_flight) } }
rescue IOError
  nil # closed below
end
stop_reader.read(1)
server.close
in_flight.wait_for_none
