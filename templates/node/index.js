"use strict";
// Serves the handler over HTTP. The watchdog starts this once, names the port, and sends requests here.

const http = require("http");

class Event {
  constructor(request, raw) {
    const [path, query] = split(request.url, "?");
    this.body = parseBody(raw, request.headers["content-type"] || "text/plain");
    this.headers = request.headers;
    this.method = request.method;
    this.query = parameters(new URLSearchParams(query));
    this.path = path;
  }
}

function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

// A name that comes several times has a list of values.
function parameters(pairs) {
  const names = [...new Set(pairs.keys())];
  return Object.fromEntries(names.map((name) => {
    const values = pairs.getAll(name);
    return [name, values.length > 1 ? values : values[0]];
  }));
}

// An answer that is not the function's fault.
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Refusal(400, `the request's body is not JSON: ${e.message}`);
  }
}

// JSON and forms become objects, other text a string, anything else stays a Buffer.
function parseBody(raw, type) {
  if (process.env.RAW_BODY === "true") return raw;
  const text = () => raw.toString();
  if (/^application\/([^;]*\+)?json\b/i.test(type)) return raw.length > 0 ? parseJson(text()) : {};
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    // curl -d says that it sends a form, whatever it sends.
    return raw.includes("=") ? parameters(new URLSearchParams(text())) : text();
  }
  return /^text\/|^application\/([^;]*\+)?xml\b/i.test(type) ? text() : raw;
}

// "100kb", as MAX_RAW_SIZE and MAX_JSON_SIZE are written; no limit when they are not set.
function limitOf(type) {
  const size = process.env[/json\b/i.test(type || "") ? "MAX_JSON_SIZE" : "MAX_RAW_SIZE"];
  const [, digits, unit] = /^(\d+)\s*(b|kb|mb|gb)?$/i.exec(size || "") || [];
  return digits ? digits * 1024 ** ["b", "kb", "mb", "gb"].indexOf((unit || "b").toLowerCase()) : Infinity;
}

async function readBody(request) {
  const limit = limitOf(request.headers["content-type"]);
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > limit) throw new Refusal(413, "the request's body is too large");
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

class Context {
  constructor(settle) {
    this.statusCode = undefined;
    this.headerValues = {};
    this.settle = settle;
  }
  status(code) {
    if (code === undefined) return this.statusCode || 200;
    this.statusCode = code;
    return this;
  }
  headers(values) {
    if (values === undefined) return this.headerValues;
    this.headerValues = values;
    return this;
  }
  succeed(value) {
    this.settle({ value });
    return this;
  }
  fail(reason) {
    this.settle({ reason: reason === undefined ? "the handler failed" : reason });
    return this;
  }
}

async function load() {
  try {
    const loaded = require("./function/handler");
    return loaded.default || loaded;
  } catch (e) {
    if (e.code !== "ERR_REQUIRE_ESM") throw e;
    return (await import("./function/handler.js")).default;
  }
}

// The first of: a value returned, succeed() or fail() called, the third parameter called back.
function run(handler, event) {
  return new Promise((resolve, reject) => {
    const context = new Context((outcome) => resolve({ ...outcome, context }));
    const callback = (reason, value) => (reason ? context.fail(reason) : context.succeed(value));
    Promise.resolve(handler(event, context, callback)).then((value) => {
      if (value === context) return;
      if (value !== undefined) context.succeed(value);
      else if (handler.length < 3) setImmediate(() => context.succeed(undefined));
    }, reject);
  });
}

// The bytes, and what they are unless the handler has said so.
function encode(value) {
  if (value === undefined || value === null) return [Buffer.alloc(0)];
  if (Buffer.isBuffer(value)) return [value, "application/octet-stream"];
  if (value instanceof Uint8Array) return [Buffer.from(value), "application/octet-stream"];
  if (typeof value === "string") return [Buffer.from(value), "text/html; charset=utf-8"];
  return [Buffer.from(JSON.stringify(value)), "application/json; charset=utf-8"];
}

function send(response, status, headers, value) {
  response.statusCode = status;
  for (const [name, text] of Object.entries(headers)) response.setHeader(name, text);
  if (value && typeof value.pipe === "function") {
    value.on("error", (e) => response.destroy(console.error(e)));
    value.pipe(response);
    return;
  }
  const [body, type] = encode(value);
  if (type && !response.hasHeader("content-type")) response.setHeader("Content-Type", type);
  if (status !== 204 && status !== 304) response.setHeader("Content-Length", body.length);
  response.end(body);
}

async function answer(handler, request, response) {
  try {
    const event = new Event(request, await readBody(request));
    const { value, reason, context } = await run(handler, event);
    if (reason !== undefined) {
      console.error(reason instanceof Error ? reason.stack : reason);
      send(response, context.statusCode || 500, context.headers(), String(reason));
    } else {
      send(response, context.status(), context.headers(), value);
    }
  } catch (e) {
    refuse(response, e);
  }
}

function refuse(response, e) {
  const status = e instanceof Refusal ? e.status : 500;
  console.error(e instanceof Error ? e.stack : e);
  if (response.headersSent) return response.destroy();
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  if (status === 413) response.setHeader("Connection", "close");
  send(response, status, {}, String(e));
}

async function main() {
  const handler = await load();
  const server = http.createServer((request, response) => answer(handler, request, response));
  // Whoever calls us decides how long to wait; a connection closed here could be in use there.
  server.keepAliveTimeout = server.headersTimeout = server.requestTimeout = server.timeout = 0;
  server.listen(Number(process.env.http_port || process.env.PORT || 3000), "127.0.0.1");
  for (const name of ["SIGTERM", "SIGINT"]) {
    process.once(name, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
      // Those that are busy now are closed with their answer.
      server.on("request", (_, response) => response.setHeader("Connection", "close"));
      setInterval(() => server.closeIdleConnections(), 20);
    });
  }
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
