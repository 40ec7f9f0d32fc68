/** pg's types know its index only, which brings a pool and a native half with it. */
declare module "pg/lib/client" {
  import { Client } from "pg";

  export = Client;
}
