// Reads {"pairs": [[value, from, to]], "codes": [code]} from standard input and writes what LHC-UCUM answers:
// {"pairs": [number or null], "codes": [true or false]}.
const { UcumLhcUtils } = require("@lhncbc/ucum-lhc");

console.log = console.error; // the package prints its own remarks; standard output is for the answer

const utils = UcumLhcUtils.getInstance();
const convert = ([value, from, to]) => {
  const answer = utils.convertUnitTo(from, value, to);
  return answer.status === "succeeded" ? answer.toVal : null;
};

let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  const asked = JSON.parse(text);
  const codes = asked.codes.map((code) => utils.validateUnitString(code).status === "valid");
  process.stdout.write(JSON.stringify({ pairs: asked.pairs.map(convert), codes }));
});
