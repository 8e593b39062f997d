"use strict";
const at = (id) => document.getElementById(id);
let file = null;

function base() {
  return "/_acrmock/applications/" + encodeURIComponent(at("application").value) + "/files";
}

async function call(method, path, body, type) {
  const headers = { Authorization: "Bearer " + at("token").value };
  if (type) headers["Content-Type"] = type;
  return fetch(path, { method, headers, body });
}

function say(text) {
  at("said").textContent = text;
}

async function tell(answer) {
  const told = await answer.json();
  if (!answer.ok) {
    const why = (told.fields || []).map((one) => (one.element || "") + ": " + one.reason + ", expected " + one.expected);
    say([told.title, told.detail, ...why, told.hint].filter(Boolean).join(". "));
    return;
  }
  file = told;
  const counts = told.counts;
  say(told.name + ": " + told.status + ". Received " + counts.received + ", uploaded " + counts.uploaded + ", updated " +
    counts.updated + ", rejected " + counts.rejected + ", with a warning " + counts.warnings + "." +
    (told.reason ? " " + told.reason.message + "." : ""));
  at("choice").hidden = !told.decision_needed;
  at("again").hidden = told.terminal || told.decision_needed;
  at("logs").hidden = !told.log;
}

at("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = at("file").files[0];
  const query = new URLSearchParams({ name: chosen.name, registry: at("registry").value, environment: at("environment").value });
  if (at("facility").value) query.set("facility", at("facility").value);
  await tell(await call("POST", base() + "?" + query, chosen, "application/octet-stream"));
});

async function decide(decision) {
  const body = JSON.stringify({ decision, environment: file.environment });
  await tell(await call("POST", base() + "/" + file.file + "/decision", body, "application/json"));
}

async function log(format) {
  const query = new URLSearchParams({ format, environment: file.environment });
  const answer = await call("GET", base() + "/" + file.file + "/log?" + query);
  if (!answer.ok) return tell(answer);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = file.file + "-log." + (format === "xlsx" ? "xlsx" : "txt");
  link.click();
}

at("continue").addEventListener("click", () => decide("continue"));
at("cancel").addEventListener("click", () => decide("cancel"));
at("look").addEventListener("click", async () => {
  const query = new URLSearchParams({ environment: file.environment });
  await tell(await call("GET", base() + "/" + file.file + "?" + query));
});
at("text").addEventListener("click", () => log("text"));
at("xlsx").addEventListener("click", () => log("xlsx"));
