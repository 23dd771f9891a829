"use strict";

// curl 'http://127.0.0.1:8080/function/hello-node?shout=1' -d Ada
module.exports = async (event, context) => {
  const name = event.body.trim() || "stranger";
  const greeting = `Hello, ${name}!`;
  return {
    greeting: event.query.shout ? greeting.toUpperCase() : greeting,
    method: event.method,
    path: event.path,
  };
};
