# Run at every build, with all files called *_test.rb; the build argument TEST_ENABLED=false turns that off.
require_relative "handler"

raise "there is no handler" unless Handler.method_defined?(:run)

# What your function promises, for example:
#
# require "stringio"
# body, _headers, status = Handler.new.run(StringIO.new("hello"), {})
# raise "got #{status} #{body}" unless status == 200 && body == "hello"
