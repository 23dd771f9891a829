# The request's body is on standard input; what is printed is the answer.
cat
