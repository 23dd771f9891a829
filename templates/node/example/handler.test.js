"use strict";
// Run at every build by package.json's "test"; the build argument TEST_ENABLED=false turns that off.

const assert = require("assert");
const test = require("node:test");

const handler = require("./handler");

test("there is a handler", () => {
  assert.strictEqual(typeof handler, "function");
});

// What your function promises, for example:
//
// test("the body comes back", async () => {
//   let said;
//   const context = { status: () => context, succeed: (value) => ((said = value), context) };
//   await handler({ body: "hello", headers: {}, method: "POST", query: {}, path: "/" }, context);
//   assert.strictEqual(said, "hello");
// });
