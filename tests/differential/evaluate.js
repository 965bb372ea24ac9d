// Evaluates the defines of an ELM library with cql-execution: node evaluate.js PACKAGES ELM.json NOW
const path = require('path');
const fs = require('fs');
const cql = require(path.join(process.argv[2], 'cql-execution'));
const library = new cql.Library(JSON.parse(fs.readFileSync(process.argv[3])));
const now = cql.DateTime.parse(process.argv[4]);

function plain(value) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object') return value;
  if (value.isDateTime || value.isDate) return value.toString();
  if (value.isTime && value.isTime()) return value.toString();
  if (value.isInterval) {
    return { low: plain(value.low), high: plain(value.high), lowClosed: value.lowClosed, highClosed: value.highClosed };
  }
  if (value.isQuantity) return { value: value.value, unit: value.unit ?? null };
  if (value.isUncertainty) return { $uncertainty: { low: plain(value.low), high: plain(value.high) } };
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

(async () => {
  const context = new cql.PatientContext(library, null, null, {}, now);
  for (const [name, define] of Object.entries(library.expressions)) {
    let line;
    try {
      line = { name, value: plain(await define.execute(context)) };
    } catch (problem) {
      line = { name, error: String(problem.message || problem).slice(0, 200) };
    }
    console.log(JSON.stringify(line));
  }
})();
