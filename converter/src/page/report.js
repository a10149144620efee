function cntk2onnxReport(root) { 'use strict'; }
