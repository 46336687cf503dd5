// What sources on a network have in common: an address with a user name and password that no message shows,
// and what their errors mean. Single-thread.
#pragma once

#include "address.hpp"
#include "source.hpp"

namespace capture {

class NetworkSource : public Source {
 public:
  explicit NetworkSource(const reel::Options& options) : NetworkSource(address_from(options)) {}

  [[nodiscard]] reel::Error error_of(GstMessage* message) const override;
  [[nodiscard]] std::string cleaned(std::string text) const override;

 protected:
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  /// Gives `element` the user name and password, where there are any.
  void set_user(GstElement* element) const;

 private:
  explicit NetworkSource(const Address& address) : Source(address.shown), address_(address) {}

  Address address_;
};

}  // namespace capture
