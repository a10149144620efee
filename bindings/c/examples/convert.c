/* Validates a CNTK model and writes it as ONNX: convert MODEL ONNX
 *
 *   cc convert.c -I ../include -L DIR -lcntk2onnx_c -o convert
 */
#include "cntk2onnx.h"

#include <stdio.h>
#include <stdlib.h>

/* The whole file; NULL with a message on stderr. */
static unsigned char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    return NULL;
  }
  size_t room = 1 << 16, used = 0;
  unsigned char *bytes = malloc(room);
  while (bytes) {
    used += fread(bytes + used, 1, room - used, file);
    if (used < room) break;
    unsigned char *more = realloc(bytes, room *= 2);
    if (!more) free(bytes);
    bytes = more;
  }
  fclose(file);
  *length = used;
  return bytes;
}

static int write_file(const char *path, const unsigned char *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
    perror(path);
    return 2;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: convert MODEL ONNX\n");
    return 2;
  }
  size_t length = 0;
  unsigned char *bytes = read_file(argv[1], &length);
  if (!bytes) return 2;

  Cntk2onnxOptions options;
  cntk2onnx_options_default(&options);
  options.max_memory = (uint64_t)256 << 20;

  Cntk2onnxReport *report = NULL;
  int code = cntk2onnx_validate(bytes, length, &options, &report);
  for (size_t i = 0; i < cntk2onnx_report_count(report); i++) {
    Cntk2onnxFinding finding;
    if (!cntk2onnx_report_finding(report, i, &finding)) break;
    printf("%#llx %s %s: %s\n", (unsigned long long)finding.offset, finding.path, finding.rule, finding.message);
  }
  cntk2onnx_report_free(report);

  if (code == CNTK2ONNX_STATUS_OK) {
    Cntk2onnxOnnx *onnx = NULL;
    code = cntk2onnx_convert(bytes, length, &options, &onnx);
    if (code == CNTK2ONNX_STATUS_OK) {
      code = write_file(argv[2], cntk2onnx_onnx_data(onnx), cntk2onnx_onnx_length(onnx));
    } else {
      fprintf(stderr, "%s\n", cntk2onnx_last_error());
    }
    cntk2onnx_onnx_free(onnx);
  }
  free(bytes);
  return code;
}
