import * as z from "zod/mini";
import { webUrl } from "../server-grammar";

/** Base URL of a vendor's API: another one for a proxy of your own, or for a rehearsal. */
export const apiUrl = webUrl.check(
  z.refine((value) => !/[?#]|\/$/.test(value), {
    params: { allowed: "a base URL without query and final slash", change: "leave them out" },
    message: "base URL",
  }),
);
