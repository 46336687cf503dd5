// Addresses of cameras, as people write them: what stands before the host is in none of what is shown.
#include "address.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <string>

#include <reel/base/error.hpp>

using reel::fuzz::require;

namespace {

std::string authority_of(const std::string& uri) {
  const std::size_t begin = uri.find("://") + 3;
  return uri.substr(begin, std::min(uri.find_first_of("/?#", begin), uri.size()) - begin);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string rest(reinterpret_cast<const char*>(data), size);
  const std::string uri = "rtsp://" + rest;
  const std::string authority = authority_of(uri);
  const std::size_t at = authority.rfind('@');
  try {
    const capture::Address address = capture::parse_address(uri);
    require(authority_of(address.uri).find('@') == std::string::npos, "no user is left in the URI");
    require(authority_of(address.shown) == authority_of(address.uri), "the host is shown");
    const capture::Address again = capture::parse_address(address.uri);
    require(again.user.empty() && again.password.empty(), "nor found there once more");
    require(again.uri == address.uri && again.shown == address.shown, "what is left stays as it is");
  } catch (const reel::Error& error) {
    const std::string before = at == std::string::npos ? authority : authority.substr(0, at);
    require(before.size() < 12 || error.message().find(before) == std::string::npos,
            "a refusal does not say what stands before the host");
  }
  return 0;
}
