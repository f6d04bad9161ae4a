import { expect, test } from "vitest";
import { parsePasswd, pickUser } from "../../src/embedded/account.ts";

const users = parsePasswd(
  "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\nown:x:7:8::/:/bin/sh\n",
);

test("the owner of existing data decides under whom the server runs", () => {
  expect(pickUser(users, 7)).toEqual({ name: "own", uid: 7, gid: 8 });
  expect(pickUser(users, 4_711)).toBeUndefined();
});

test("without data a user named millrace comes first, then nobody, then anyone but root", () => {
  expect(pickUser([...users, { name: "millrace", uid: 9, gid: 9 }], undefined)?.name).toBe("millrace");
  expect(pickUser(users, undefined)?.name).toBe("nobody");
  expect(pickUser(users.slice(3), undefined)?.name).toBe("own");
  expect(pickUser(users.slice(0, 1), undefined)).toBeUndefined();
});
