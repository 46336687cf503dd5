// Why a stream has no writer, for whoever waits for one and has to tell a user. Thread-safe.
#pragma once

#include <string>

namespace reel {

/// A sentence without a full stop: that nobody writes the stream, where was looked, why not elsewhere, and
/// the nearest stream or those that there are; or which process listens for it and has not answered, or has
/// taken its name and written nothing. Looks at all runtime directories. Throws as runtime_dirs().
[[nodiscard]] std::string absence_text(const std::string& stream);

}  // namespace reel
