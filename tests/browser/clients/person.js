// What a test gives to a client, and the person whom it sends to us: the test itself, by lines of standard input.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const given = JSON.parse(process.argv[2]);

/** Send the person to this address, and tell where they come back to. */
export async function through(url) {
    console.log(`open ${url}`);
    return new URL((await lines.next()).value);
}

/** Tell the test what came of it, and end. */
export function say(results) {
    console.log(JSON.stringify(results));
    process.exit();
}
