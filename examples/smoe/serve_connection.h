// What a client may take of a connection's time and memory. cpp-httplib reads as many headers as it
// is sent, as slowly as they come, and does not say whether the client is still there. It reads by
// recv(), so this file defines recv() for the whole program: on a thread that serves a connection it
// counts bytes and seconds; anywhere else it is the system's. Where a library does not see that
// definition (macOS), only cpp-httplib's own limits hold.
// Read next: serve_http.cpp.
#pragma once

#include <cstdint>

namespace smoe {

// This thread serves a new connection from now on, and no longer.
void begin_connection();
void end_connection();

// Nothing more is read from any connection, so that none waits for its next request.
void end_all_connections();

// What may be read from now on, counted from the first byte: so many bytes in so many seconds. A
// client that sends more, or takes longer, gets no answer. Of a head nothing behind its blank line
// is read, and nothing behind a body whose length is known: the library forgets what it has read
// too much, and with it the requests of a client that sends several at once.
void allow_head(int64_t bytes, int64_t seconds);
void allow_body(int64_t bytes, int64_t seconds);

// The connection ends after the answer: what the client still sends, perhaps the body of a request
// that was refused, is not taken for a request.
void read_no_more();

// Whether the client has not closed its end.
bool client_is_there();

}  // namespace smoe
