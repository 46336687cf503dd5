// `reel` as process 1 of a container. Called once, before anything else, while there is one thread.
#pragma once

/// Process 1 gets every process whose parent died, and signals that it does not handle do nothing to it. So,
/// as process 1, this goes on in a child and never returns in the parent, which passes signals on, waits for
/// whatever ends, and ends as the child does. Any other process: returns at once.
void leave_first_process();
