// Reads monitors and dashboards with the models of Datadog's own API client: node datadog.js FILE… Each file must have no part that
// the models do not know, and must be the same after it was read and written.
const assert = require("assert");
const fs = require("fs");
const path = require("path");
const { ObjectSerializer } = require("@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/models/ObjectSerializer");

// Yields the places in a model of what the client could not give a meaning.
function* unknown(value, where) {
  if (value === null || typeof value !== "object") return;
  if (value._unparsed) yield where;
  for (const [key, part] of Object.entries(value)) {
    if (key === "additionalProperties") yield* Object.keys(part).map((name) => `${where}.${name}`);
    else yield* unknown(part, `${where}.${key}`);
  }
}

let bad = 0;
for (const file of process.argv.slice(2)) {
  const kind = path.basename(file) === "dashboard.json" ? "Dashboard" : "Monitor";
  const written = JSON.parse(fs.readFileSync(file, "utf8"));
  const model = ObjectSerializer.deserialize(written, kind, "");
  const places = [...unknown(model, kind)];
  try {
    assert.deepStrictEqual(places, [], "unknown parts");
    assert.deepStrictEqual(JSON.parse(JSON.stringify(ObjectSerializer.serialize(model, kind, ""))), written);
  } catch (error) {
    console.error(`${file}: ${places.length ? `unknown to Datadog: ${places}` : error.message}`);
    bad++;
  }
}
process.exit(bad ? 1 : 0);
