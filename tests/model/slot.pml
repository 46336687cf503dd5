/* What the models with slots share: a slot's states, and ghosts that say who is at its payload and what lies there.
 * The including model defines SLOTS (2 to 4) and STATE (first of SLOTS words), and includes tso.pml after its words.
 */
#define FREE 0
#define WRITING 1
#define READY 2
#define RETIRED 3
#define REUSABLE(i) (MINE(STATE + i) == FREE || (MINE(STATE + i) & 3) == RETIRED)
#define HELD(i) ((held >> i) & 1)
#define LOANED(i) writing[i]

#if SLOTS == 2
#define ANY(test) (test(0) || test(1))
#define PICK(test) if :: test(0) -> k = 0 :: test(1) -> k = 1 fi
#elif SLOTS == 3
#define ANY(test) (test(0) || test(1) || test(2))
#define PICK(test) if :: test(0) -> k = 0 :: test(1) -> k = 1 :: test(2) -> k = 2 fi
#else
#define ANY(test) (test(0) || test(1) || test(2) || test(3))
#define PICK(test) if :: test(0) -> k = 0 :: test(1) -> k = 1 :: test(2) -> k = 2 :: test(3) -> k = 3 fi
#endif

byte users[SLOTS];   /* readers between validation and release */
bool writing[SLOTS]; /* between the decision to write and publish */
byte payload[SLOTS]; /* sequence, 0 while written */

inline begin_writing(p) {
  assert(users[k] == 0);
  assert(!writing[k]);
  writing[k] = true;
  payload[k] = 0;
  STORE(p, STATE + k, WRITING)
}

/* Between a clean validation of sequence s and the clear of the pin. */
inline begin_use() {
  assert(!writing[k]);
  assert(payload[k] == s);
  users[k]++
}
