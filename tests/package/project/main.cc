#include <holdfast/client.h>

#include <chrono>
#include <iostream>

// Port 1 of loopback has no service: what counts is that the library is whole and says so.
int main() {
  using namespace std::chrono_literals;
  holdfast::client::Client client(
      {.endpoints = {"127.0.0.1:1"}, .connect_timeout = 100ms, .call_timeout = 200ms});
  auto value = client.get("/greeting");
  if (value || value.error().code != holdfast::client::Errc::kUnavailable) {
    std::cerr << "expected nobody there\n";
    return 1;
  }
  std::cout << name_of(value.error().code) << ": " << value.error().message << "\n";
  return holdfast::client::parse_lease("00000000000000ff")->value == 255 ? 0 : 1;
}
