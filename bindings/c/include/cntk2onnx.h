/* C interface of cntk2onnx: validates CNTK models in memory and converts them to ONNX.
 *
 * Generated from src/lib.rs: `BLESS=1 cargo test -p cntk2onnx-c --test header` writes it anew. */

#ifndef CNTK2ONNX_H
#define CNTK2ONNX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * How a call ended; the numbers are the program's exit codes.
 */
typedef enum Cntk2onnxStatus {
  /**
   * Done.
   */
  CNTK2ONNX_STATUS_OK = 0,
  /**
   * The file is malformed, unsafe, over a limit, or not a CNTK model.
   */
  CNTK2ONNX_STATUS_INVALID = 1,
  /**
   * A null pointer, a value out of range, or a defect of this library.
   */
  CNTK2ONNX_STATUS_USAGE = 2,
  /**
   * The model is valid, but cannot be converted as asked.
   */
  CNTK2ONNX_STATUS_UNSUPPORTED = 3,
} Cntk2onnxStatus;

/**
 * How bad a finding is.
 */
typedef enum Cntk2onnxSeverity {
  /**
   * Worth knowing.
   */
  CNTK2ONNX_SEVERITY_NOTE = 0,
  /**
   * Suspicious; the model can be used.
   */
  CNTK2ONNX_SEVERITY_WARNING = 1,
  /**
   * The model must not be used.
   */
  CNTK2ONNX_SEVERITY_ERROR = 2,
} Cntk2onnxSeverity;

/**
 * A converted model. Free it with `cntk2onnx_onnx_free`.
 */
typedef struct Cntk2onnxOnnx Cntk2onnxOnnx;

/**
 * What validation found. Free it with `cntk2onnx_report_free`.
 */
typedef struct Cntk2onnxReport Cntk2onnxReport;

/**
 * What a file may ask for and how it is converted. `cntk2onnx_options_default` fills it; change what you need.
 */
typedef struct Cntk2onnxOptions {
  /**
   * Bytes that parsing may allocate.
   */
  uint64_t max_memory;
  /**
   * Function records.
   */
  uint64_t max_functions;
  /**
   * Variable records.
   */
  uint64_t max_variables;
  /**
   * Findings kept.
   */
  uint32_t max_findings;
  /**
   * ONNX opset, 13 to 21.
   */
  uint32_t opset;
  /**
   * Accept models with user-defined functions; nothing of them is ever run.
   */
  bool allow_udf;
  /**
   * Look at every weight for NaN, infinities and extremes, not only at the first 16 MiB.
   */
  bool scan_weights;
} Cntk2onnxOptions;

/**
 * One finding. The strings are UTF-8 and live as long as the report.
 */
typedef struct Cntk2onnxFinding {
  /**
   * How bad it is.
   */
  enum Cntk2onnxSeverity severity;
  /**
   * Byte of the file.
   */
  uint64_t offset;
  /**
   * Stable id of the rule.
   */
  const char *rule;
  /**
   * Record in the file; may be empty.
   */
  const char *path;
  /**
   * One sentence.
   */
  const char *message;
} Cntk2onnxFinding;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, such as "0.2.0".
 */
const char *cntk2onnx_version(void);

/**
 * Why the last call on this thread did not return CNTK2ONNX_STATUS_OK; empty if it did. Valid until the next call on
 * this thread.
 */
const char *cntk2onnx_last_error(void);

/**
 * Sets every option to its default.
 *
 * # Safety
 *
 * `options` is null or points to memory for the structure.
 */
void cntk2onnx_options_default(struct Cntk2onnxOptions *options);

/**
 * Checks a model. `report` is set whenever the status is CNTK2ONNX_STATUS_OK or CNTK2ONNX_STATUS_INVALID.
 *
 * # Safety
 *
 * `data` points to `length` bytes that nobody changes during the call, `options` is null or points to options, and
 * `report` points to memory for a pointer.
 */
enum Cntk2onnxStatus cntk2onnx_validate(const uint8_t *data,
                                        size_t length,
                                        const struct Cntk2onnxOptions *options,
                                        struct Cntk2onnxReport **report);

/**
 * May the model be used?
 *
 * # Safety
 *
 * `report` is null or comes from `cntk2onnx_validate` and has not been freed.
 */
bool cntk2onnx_report_ok(const struct Cntk2onnxReport *report);

/**
 * How many findings there are.
 *
 * # Safety
 *
 * `report` is null or comes from `cntk2onnx_validate` and has not been freed.
 */
size_t cntk2onnx_report_count(const struct Cntk2onnxReport *report);

/**
 * Reads the finding at `index`; false, with `finding` untouched, when there is none.
 *
 * # Safety
 *
 * `report` is null or comes from `cntk2onnx_validate` and has not been freed; `finding` is null or points to memory for
 * the structure.
 */
bool cntk2onnx_report_finding(const struct Cntk2onnxReport *report,
                              size_t index,
                              struct Cntk2onnxFinding *finding);

/**
 * Frees a report; null is accepted.
 *
 * # Safety
 *
 * `report` is null or comes from `cntk2onnx_validate` and has not been freed.
 */
void cntk2onnx_report_free(struct Cntk2onnxReport *report);

/**
 * Converts the inference outputs of a model to ONNX, weights embedded. `onnx` is set when the status is
 * CNTK2ONNX_STATUS_OK, and null otherwise; `cntk2onnx_last_error` then has one line for each reason.
 *
 * # Safety
 *
 * `data` points to `length` bytes that nobody changes during the call, `options` is null or points to options, and
 * `onnx` points to memory for a pointer.
 */
enum Cntk2onnxStatus cntk2onnx_convert(const uint8_t *data,
                                       size_t length,
                                       const struct Cntk2onnxOptions *options,
                                       struct Cntk2onnxOnnx **onnx);

/**
 * The first byte of a converted model; null for a null handle.
 *
 * # Safety
 *
 * `onnx` is null or comes from `cntk2onnx_convert` and has not been freed.
 */
const uint8_t *cntk2onnx_onnx_data(const struct Cntk2onnxOnnx *onnx);

/**
 * How many bytes a converted model has.
 *
 * # Safety
 *
 * `onnx` is null or comes from `cntk2onnx_convert` and has not been freed.
 */
size_t cntk2onnx_onnx_length(const struct Cntk2onnxOnnx *onnx);

/**
 * Frees a converted model; null is accepted.
 *
 * # Safety
 *
 * `onnx` is null or comes from `cntk2onnx_convert` and has not been freed.
 */
void cntk2onnx_onnx_free(struct Cntk2onnxOnnx *onnx);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CNTK2ONNX_H */
