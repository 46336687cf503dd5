/* Nobody sleeps through a frame, or through the end: tickets and doorbells between a writer and one reader.
 *
 * Checked: no run stops with the reader asleep (an invalid end state). The socket holds one byte, so that a full one is
 * met; a control message may put a byte there at any time, so that stale bytes are met.
 */
#ifndef FRAMES
#define FRAMES 4
#endif
#define HEAD 0
#define END 1 /* end_sequence, 0 until it is known */
#define TICKET 2
#define WORDS 3
#define PROCESSES 2
#define WRITER 0
#define READER 1

#include "tso.pml"

chan socket = [1] of { bit };
bool slept;

inline send_byte() {
  if
  :: nfull(socket) -> socket!1
  :: full(socket) /* a wake is on its way */
  fi
}

active proctype control_message() {
  atomic { send_byte() }
}

proctype writer() {
  byte published, rung, ticket;

  do
  :: published < FRAMES ->
     atomic { published++; STORE(WRITER, HEAD, published + 1) };
     atomic {
#ifndef NO_PUBLISH_FENCE
       FENCE(WRITER) ->
#endif
       ticket = LOAD(TICKET);
       if
       :: ticket <= published + 1 && ticket > rung -> rung = ticket; send_byte()
       :: else
       fi;
       ticket = 0
     }
  :: published == FRAMES -> break
  od;

  atomic { STORE(WRITER, END, published + 1) };
  atomic {
#ifndef NO_END_FENCE
    FENCE(WRITER) ->
#endif
    ticket = LOAD(TICKET);
    if
#ifdef END_ONLY_DUE
    :: ticket <= published + 1 && ticket > rung -> send_byte()
#else
    :: ticket > rung -> send_byte() /* head stays: no ticket is due, every ticket is owed a ring */
#endif
    :: else
    fi
  }
}

proctype reader() {
  byte s = 1;
  bool done;

  do
  :: atomic { LOAD(HEAD) > s -> if :: s = s + 1 :: s = LOAD(HEAD) fi }
  :: atomic { LOAD(HEAD) <= s -> done = false };
     if
     :: LOAD(END) == s -> break
     :: LOAD(END) != s ->
        atomic { STORE(READER, TICKET, s + 1) };
        atomic {
#ifndef NO_TICKET_FENCE
          FENCE(READER) ->
#endif
#ifdef NO_SECOND_LOOK
          done = false
#else
          done = (LOAD(HEAD) > s)
#endif
        };
#ifndef NO_END_LOOK
        done = done || (LOAD(END) == s);
#endif
        if
        :: done -> done = false
        :: else ->
#ifdef DRAIN_AFTER_LOOK
           atomic { if :: nempty(socket) -> socket?_ :: empty(socket) fi };
#endif
           atomic { socket?_; slept = true } /* poll, then empty the socket; the look at head comes after */
        fi
     fi
  od;
  assert(s == FRAMES + 1);
#ifdef WITNESS
  assert(!slept);
#endif
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    run writer(); run reader()
  }
}
