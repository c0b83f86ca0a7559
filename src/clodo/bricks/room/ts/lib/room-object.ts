import { DurableObject } from "cloudflare:workers";
import { entityByName } from "../entities";
import type { Env } from "../env";
import type { Caller } from "./access";
import { type Row, selected, toJson, visible } from "./entity";
import type { Member } from "./room";
import { condition, quote, where } from "./sql";

const MOST_MEMBERS = 100;
const MOST_BYTES = 4096;
/** Messages of one member within a span of time; what is more is dropped, and whoever goes on is shown out. */
const MOST_MESSAGES = 20;
const SPAN_MS = 10_000;
const MOST_DROPPED = 20;
/** After this a member has to prove anew who they are. */
const STAY_MS = 60 * 60 * 1000;

/** Codes of WebSockets (RFC 6455, 7.4), and one of our own. */
const GOING_AWAY = 1001;
const NO_TEXT = 1003;
const NOT_ALLOWED = 1008;
const TOO_BIG = 1009;
const GONE = 4404;

interface Pace {
  start: number;
  count: number;
}

/** The room of one row. It sleeps while nobody speaks, and its connections stay open. */
export class Room extends DurableObject<Env> {
  private readonly paces = new WeakMap<WebSocket, Pace>();

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'));
  }

  /** Lets a member in, whom the Worker has looked at. */
  override fetch(request: Request): Response {
    if (this.members().length >= MOST_MEMBERS) return new Response(null, { status: 429 });
    const { 0: client, 1: server } = new WebSocketPair();
    const member = JSON.parse(request.headers.get("member") ?? "{}") as Member;
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment(member);
    const present = this.members().map(([, other]) => shown(other));
    send(server, { type: "welcome", id: member.id, present });
    this.tell({ type: "joined", ...shown(member) }, server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Shows the row to each member who may still see it, and the door to the others. */
  async changed(name: string, id: string): Promise<void> {
    const entity = entityByName(name);
    const callers = new Map(this.members().map(([, { caller }]) => [JSON.stringify(caller), caller]));
    if (entity === undefined || callers.size === 0) return;
    const statements = [...callers.values()].map((caller) => {
      const filter = where([condition('"id" = ?', id), ...visible(entity, caller)]);
      return this.env.DB.prepare(`SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql}`).bind(...filter.values);
    });
    const found = await this.env.DB.batch<Row>(statements);
    const rows = new Map([...callers.keys()].map((key, index) => [key, found[index]?.results[0]]));
    for (const [socket, { caller }] of this.members()) {
      const row = rows.get(JSON.stringify(caller));
      if (row !== undefined) {
        send(socket, { type: "updated", row: toJson(entity, row) });
      } else if (rows.has(JSON.stringify(caller))) {
        send(socket, { type: "deleted", id });
        socket.close(GONE, "The row is gone.");
      }
    }
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const member = memberOf(socket);
    if (typeof message !== "string") return socket.close(NO_TEXT, "Send text.");
    if (message.length > MOST_BYTES || new TextEncoder().encode(message).byteLength > MOST_BYTES) {
      return socket.close(TOO_BIG, `A message has at most ${MOST_BYTES} bytes.`);
    }
    if (Date.now() - member.since > STAY_MS) return socket.close(GOING_AWAY, "Come in again.");
    const count = this.paceOf(socket);
    if (count > MOST_MESSAGES + MOST_DROPPED) return socket.close(NOT_ALLOWED, "Too many messages.");
    if (count > MOST_MESSAGES) {
      return send(socket, { type: "error", detail: `At most ${MOST_MESSAGES} messages in ${SPAN_MS / 1000} s.` });
    }
    let data: unknown;
    try {
      data = JSON.parse(message);
    } catch {
      return send(socket, { type: "error", detail: "The message is not valid JSON." });
    }
    const { id, user } = shown(member);
    this.tell({ type: "message", from: id, user, data });
  }

  override webSocketClose(socket: WebSocket): void {
    this.left(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.left(socket);
  }

  private left(socket: WebSocket): void {
    this.tell({ type: "left", ...shown(memberOf(socket)) }, socket);
  }

  /** How many messages a member has sent in this span of time. */
  private paceOf(socket: WebSocket): number {
    const now = Date.now();
    const known = this.paces.get(socket);
    const pace = known !== undefined && now - known.start < SPAN_MS ? known : { start: now, count: 0 };
    pace.count += 1;
    this.paces.set(socket, pace);
    return pace.count;
  }

  private members(): [WebSocket, Member][] {
    const open = this.ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
    return open.map((socket) => [socket, memberOf(socket)]);
  }

  private tell(message: object, except?: WebSocket): void {
    for (const [socket, { since }] of this.members()) {
      if (socket === except) continue;
      if (Date.now() - since > STAY_MS) socket.close(GOING_AWAY, "Come in again.");
      else send(socket, message);
    }
  }
}

const memberOf = (socket: WebSocket): Member => socket.deserializeAttachment() as Member;

/** What members know of each other. */
const shown = ({ id, caller }: { id: string; caller: Caller }) => ({ id, user: caller.user?.id ?? null });

/** Sends to a member; one who is just leaving misses nothing. */
function send(socket: WebSocket, message: object): void {
  try {
    socket.send(JSON.stringify(message));
  } catch {
    // It is closed already.
  }
}
