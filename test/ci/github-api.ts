import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A comment as the API gives it. */
export interface IssueComment {
  readonly id: number;
  readonly user: { readonly type: "User" | "Bot" };
  body: string;
}

/** GitHub's API as far as a comment needs it. */
export interface GitHubApi {
  readonly url: string;
  readonly comments: IssueComment[];
  /** Pull requests that are open. */
  readonly pulls: {
    readonly number: number;
    readonly head: { readonly sha: string; readonly label: string };
  }[];
  stop(): Promise<void>;
}

/** Longest body, https://github.com/orgs/community/discussions/41331. */
const LONGEST = 65_536;

/**
 * A server that answers as GitHub documents, and refuses what it refuses.
 *
 * https://docs.github.com/en/rest/issues/comments
 * https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
 */
export async function startGitHubApi(token: string, repository: string): Promise<GitHubApi> {
  const comments: IssueComment[] = [];
  const pulls: GitHubApi["pulls"] = [];

  async function answer(request: IncomingMessage): Promise<readonly [number, unknown]> {
    if (request.headers.authorization !== `Bearer ${token}`) return [401, { message: "Bad credentials" }];
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://api");
    const place = `${request.method} ${pathname.replace(`/repos/${repository}`, "")}`;
    if (place === "GET /pulls") {
      const head = searchParams.get("head");
      return [200, pulls.filter(({ head: { label } }) => head === null || label === head)];
    }
    if (/^GET \/issues\/7\/comments$/.test(place)) {
      const size = Math.min(Number(searchParams.get("per_page") ?? 30), 100);
      const from = (Number(searchParams.get("page") ?? 1) - 1) * size;
      return [200, comments.slice(from, from + size)];
    }
    const { body } = JSON.parse((await text(request)) || "{}") as { readonly body?: string };
    if (typeof body !== "string" || body.length > LONGEST) return [422, { message: "Validation Failed" }];
    if (place === "POST /issues/7/comments") {
      comments.push({ id: 1_000 + comments.length, user: { type: "Bot" }, body });
      return [201, comments.at(-1)];
    }
    const [, id] = /^PATCH \/issues\/comments\/(\d+)$/.exec(place) ?? [];
    const comment = comments.find((candidate) => String(candidate.id) === id);
    if (comment === undefined) return [404, { message: "Not Found" }];
    if (comment.user.type !== "Bot") return [403, { message: "Resource not accessible by integration" }];
    comment.body = body;
    return [200, comment];
  }

  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments,
    pulls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
