// Prints stage changes to act on: node subscriber.mjs SERVERS GROUP [COUNT]
import kafkajs from 'kafkajs';
import { SeenChanges } from './seen_changes.mjs';

const [servers, groupId, count] = process.argv.slice(2);
if (groupId === undefined) {
  console.error('usage: run.sh SERVERS GROUP [COUNT]');
  process.exit(2);
}
const topic = `${process.env.LIFECYCLE_TOPIC_PREFIX ?? ''}stage-changes`;

const kafka = new kafkajs.Kafka({ clientId: groupId, brokers: servers.split(','), logLevel: kafkajs.logLevel.ERROR });
const consumer = kafka.consumer({ groupId }); // it reads what is committed alone, if not told otherwise
let seen = new Map(); // by partition
let left = Number(count ?? Infinity);

// Your work. It may be called again for a change that was being processed when the process ended.
async function handle(change, id) {
  console.log(`${id} ${change.from} -> ${change.to}`);
}

consumer.on(consumer.events.GROUP_JOIN, () => {
  seen = new Map(); // others may have processed what we have not seen
});

async function take({ partition, message }) {
  if (left === 0) {
    return; // not committed: whoever comes next gets it
  }
  const change = JSON.parse(message.value.toString());
  if (!seen.has(partition)) {
    seen.set(partition, new SeenChanges());
  }
  const missing = seen.get(partition).missingBefore(change);
  if (missing > 0) {
    console.error(`partition ${partition}, offset ${message.offset}: ${missing} changes are missing before this one`);
  }
  if (missing !== undefined && change.final) {
    await handle(change, message.headers.ce_id.toString());
    left -= 1;
  }
  await consumer.commitOffsets([{ topic, partition, offset: (BigInt(message.offset) + 1n).toString() }]);
  if (left === 0) {
    setImmediate(end);
  }
}

async function end() {
  await consumer.disconnect(); // leaves the group, so that others get the partitions at once
  process.exit(0);
}

process.on('SIGINT', end);
process.on('SIGTERM', end);
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true }); // where the group committed nothing yet
await consumer.run({ autoCommit: false, eachMessage: take });
