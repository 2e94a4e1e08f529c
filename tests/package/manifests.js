// Each document of the YAML files that are named: is it what Kubernetes' own schema of its kind asks for?
const fs = require("fs");
const { loadAll } = require("js-yaml");

let bad = 0;
for (const file of process.argv.slice(2)) {
  for (const document of loadAll(fs.readFileSync(file, "utf8"))) {
    const kinds = require(`kubernetes-models/${document.apiVersion}`);
    const what = `${file}: ${document.kind} ${document.metadata.name}`;
    try {
      new kinds[document.kind](document).validate();
      console.log(`${what}: valid`);
    } catch (error) {
      console.error(`${what}: ${error.message}`);
      bad++;
    }
  }
}
process.exit(bad ? 1 : 0);
