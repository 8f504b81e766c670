"""Code that verifies calls as Standard Webhooks has it, with nothing but what its language brings."""

from dataclasses import dataclass

PYTHON = '''\
import base64, hmac, os, time

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))

def verify(headers, body: bytes) -> None:
    """Raises ValueError unless the call is ours, new and unchanged. `body` is what came, byte for byte."""
    id, sent = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent)) > 300:
        raise ValueError("too old")
    digest = hmac.digest(KEY, f"{id}.{sent}.".encode() + body, "sha256")
    expected = "v1," + base64.b64encode(digest).decode()
    if not any(hmac.compare_digest(each, expected) for each in headers["webhook-signature"].split(" ")):
        raise ValueError("not signed with our secret")
'''
NODE = """\
import { createHmac, timingSafeEqual } from "node:crypto";

const KEY = Buffer.from(process.env.WEBHOOK_SECRET.replace("whsec_", ""), "base64");

// Throws unless the call is ours, new and unchanged. `body` is a Buffer of what came, byte for byte.
export function verify(headers, body) {
  const id = headers["webhook-id"], sent = headers["webhook-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(sent)) > 300) throw new Error("too old");
  const digest = createHmac("sha256", KEY).update(`${id}.${sent}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${digest}`);
  const isOurs = headers["webhook-signature"].split(" ").some((each) => {
    const given = Buffer.from(each);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isOurs) throw new Error("not signed with our secret");
}
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """`code` in a language."""

    name: str
    language: str
    code: str


def snippets() -> list[Snippet]:
    """One for each language."""
    return [Snippet("python", "Python", PYTHON), Snippet("node", "Node.js", NODE)]
