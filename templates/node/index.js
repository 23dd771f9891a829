"use strict";
// Runs the handler once: the request comes on standard input, the answer goes to standard output.
// One process a request can say two things beside the body: it went well (200) or it did not (500).
// So a status of 400 and above ends in a 500, its number in the logs, and headers are not sent.

const fs = require("fs");

class Event {
  constructor(raw, env) {
    this.headers = {};
    const own = new Set(["Http_Method", "Http_Path", "Http_Query", "Http_ContentLength"]);
    for (const [name, value] of Object.entries(env)) {
      if (name.startsWith("Http_") && !own.has(name)) {
        this.headers[name.slice(5).toLowerCase().replace(/_/g, "-")] = value;
      }
    }
    this.method = env.Http_Method || "POST";
    this.path = env.Http_Path || "/";
    this.query = Object.fromEntries(new URLSearchParams(env.Http_Query || ""));
    this.body = parseBody(raw, this.headers["content-type"] || "", env);
  }
}

function parseBody(raw, type, env) {
  if (env.RAW_BODY === "true") return raw;
  if (/^application\/([^;]*\+)?json\b/i.test(type) && raw.length > 0) return JSON.parse(raw);
  return raw.toString();
}

class Context {
  constructor(settle) {
    this.statusCode = 200;
    this.headerValues = {};
    this.settle = settle;
  }
  status(code) {
    if (code === undefined) return this.statusCode;
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

function encode(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" || Buffer.isBuffer(value)) return value;
  return value instanceof Uint8Array ? Buffer.from(value) : JSON.stringify(value);
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
function run(handler, raw) {
  return new Promise((resolve, reject) => {
    const context = new Context((outcome) => resolve({ ...outcome, status: context.statusCode }));
    const callback = (reason, value) => (reason ? context.fail(reason) : context.succeed(value));
    Promise.resolve(handler(new Event(raw, process.env), context, callback)).then((value) => {
      if (value === context) return;
      if (value !== undefined) context.succeed(value);
      else if (handler.length < 3) setImmediate(() => context.succeed(undefined));
    }, reject);
  });
}

async function main() {
  const { value, reason, status } = await run(await load(), fs.readFileSync(0));
  if (reason !== undefined) throw reason;
  fs.writeFileSync(1, encode(value));
  if (status >= 400) throw new Error(`the handler answered with status ${status}`);
  process.exit(0);
}

main().catch((reason) => {
  console.error(reason instanceof Error ? reason.stack : reason);
  process.exit(1);
});
