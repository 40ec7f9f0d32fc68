import * as z from "zod/mini";
import { calendarDate } from "../model/grammar";

const ID = /^\d{4}-\d{2}-\d{2}-[a-z0-9]+(--?[a-z0-9]+)*$/;

/** Id of a change request: its day and the key as one word. */
export const changeId = z.string().check(
  z.refine((value) => ID.test(value) && calendarDate.safeParse(value.slice(0, 10)).success, {
    params: {
      allowed: "a date and the key as one word: 2026-11-25-jwt--signing",
      change: "use the file's name",
    },
    message: "id",
  }),
);
