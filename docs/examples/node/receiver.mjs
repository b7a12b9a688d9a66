// Takes stage changes as webhooks: node receiver.mjs PORT [COUNT], with the endpoint's secret in WEBHOOK_SECRET
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const LARGEST = 1_048_576; // bytes
const [port, count] = process.argv.slice(2);
const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const taken = new Map(); // in earnest a table of your database with unique ids, whose rows may go after a week

// Your work; one that takes long belongs in a queue of yours, since the answer is waited for.
async function handle(event) {
  const change = event.data;
  console.log(`${event.id} ${change.from} -> ${change.to}`);
}

async function take(request, response) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > LARGEST) {
      return response.writeHead(413, { connection: 'close' }).end();
    }
    parts.push(part);
  }
  const body = Buffer.concat(parts); // the bytes as they came: JSON that was written anew has another signature
  try {
    webhook.verify(body, request.headers, { jsonParse: false }); // a plain object, no `Headers` of fetch
  } catch {
    return response.writeHead(401).end();
  }
  const id = request.headers['webhook-id'];
  if (!taken.has(id)) {
    // In earnest a transaction, so that neither the work nor its id is there without the other.
    taken.set(id, handle(JSON.parse(body.toString())));
  }
  try {
    await taken.get(id); // a repetition that comes meanwhile waits for the same work
  } catch (error) {
    taken.delete(id); // so that the next one tries again
    throw error;
  }
  response.writeHead(204).end();
  if (taken.size >= Number(count ?? Infinity)) {
    server.close();
    server.closeIdleConnections();
  }
}

const server = createServer((request, response) => {
  take(request, response).catch(() => response.headersSent || response.writeHead(500).end());
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
