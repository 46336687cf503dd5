/* The other way to sleep: a futex word, with the reader's own service thread ringing it when the writer hangs up.
 *
 * FUTEX_WAIT sleeps only if the word still has the value read before the look, so whoever wakes must first CHANGE the
 * word: the writer needs write access to it, and so does the reader's service thread (both by an atomic add).
 * Checked: no run stops with the reader asleep, and after a hang-up everything published is taken.
 */
#ifndef FRAMES
#define FRAMES 3
#endif
#define HEAD 0
#define TICKET 1
#define CLOSED 2
#define WORDS 3
#define PROCESSES 3
#define WRITER 0
#define READER 1
#define SERVICE 2 /* of the reader's process */

#include "tso.pml"

byte word; /* changed by locked adds alone, which drain the FIFO first */
bool asleep, hung_up, idle, slept;
byte final_head = 1;

inline wake(p, can_change) {
  FENCE(p) ->
  if
  :: can_change -> word++
  :: else
  fi;
  asleep = false
}

#ifdef READ_ONLY_WORD
#define WRITER_CHANGES false
#else
#define WRITER_CHANGES true
#endif
#ifdef HANG_UP_WITHOUT_CHANGE
#define SERVICE_CHANGES false
#else
#define SERVICE_CHANGES true
#endif

proctype writer() {
  byte rung, ticket;

  do
  :: final_head <= FRAMES ->
     atomic { final_head++; STORE(WRITER, HEAD, final_head) };
     atomic {
       FENCE(WRITER) ->
       ticket = LOAD(TICKET);
       if
       :: ticket <= final_head && ticket > rung -> rung = ticket
       :: else -> ticket = 0
       fi
     };
     if
     :: ticket != 0 -> atomic { wake(WRITER, WRITER_CHANGES); ticket = 0 }
     :: else
     fi
  :: atomic { FENCE(WRITER) -> hung_up = true; break } /* dies after any frame */
  :: atomic { final_head > FRAMES && empty(buffer[WRITER]) -> idle = true; break } /* or publishes no more */
  od
}

proctype service() {
  if
  :: atomic { hung_up -> STORE(SERVICE, CLOSED, 1) };
     atomic { wake(SERVICE, SERVICE_CHANGES) }
  :: idle
  fi
}

proctype reader() {
  byte s = 1, expected;
  bit closed;

  do
#ifdef HEAD_BEFORE_CLOSED
  :: if
     :: LOAD(HEAD) > s -> s++
     :: LOAD(HEAD) == s ->
        closed = LOAD(CLOSED);
        if :: closed -> break :: else fi;
#else
  :: closed = LOAD(CLOSED);
     if
     :: LOAD(HEAD) > s -> s++
     :: LOAD(HEAD) == s ->
        if :: closed -> break :: else fi;
#endif
#ifndef WORD_AFTER_LOOK
        expected = word;
#endif
        atomic { STORE(READER, TICKET, s + 1) };
        FENCE(READER);
        if
        :: LOAD(HEAD) > s
        :: LOAD(HEAD) == s ->
           if
           :: LOAD(CLOSED)
           :: !LOAD(CLOSED) ->
#ifdef WORD_AFTER_LOOK
              expected = word;
#endif
              if
              :: atomic { word == expected -> asleep = true };
                 if
                 :: atomic { !asleep -> slept = true }
                 :: idle && s == final_head -> break /* nothing is owed: it may sleep on */
                 fi
              :: word != expected
              fi
           fi
        fi
     fi
  od;
  assert(s == final_head);
#ifdef WITNESS
  assert(!slept);
#endif
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    run writer(); run reader(); run service()
  }
}
