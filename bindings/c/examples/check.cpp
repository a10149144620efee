// A C++ wrapper that frees what it holds, and a check of many files with it: check MODEL...
#include "cntk2onnx.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

struct FreeReport {
  void operator()(Cntk2onnxReport *report) const { cntk2onnx_report_free(report); }
};
using Report = std::unique_ptr<Cntk2onnxReport, FreeReport>;

static Report validate(const std::vector<char> &bytes) {
  Cntk2onnxReport *report = nullptr;
  cntk2onnx_validate(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), nullptr, &report);
  return Report(report);
}

int main(int argc, char **argv) {
  int worst = 0;
  for (int i = 1; i < argc; i++) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const Report report = validate(bytes);
    const bool ok = cntk2onnx_report_ok(report.get());
    std::cout << argv[i] << ": " << (ok ? "valid" : cntk2onnx_last_error()) << '\n';
    if (!ok) worst = 1;
  }
  return worst;
}
