cwlVersion: v1.2
class: CommandLineTool
label: Count the reads of one sample
requirements:
  DockerRequirement:
    dockerPull: debian:stable-slim
  ShellCommandRequirement: {}
inputs:
  sample: string
  reads: File[]
arguments:
  - {shellQuote: false, valueFrom: 'zcat $(inputs.reads[0].path) $(inputs.reads[1].path) | awk -v sample=$(inputs.sample) ''NR % 4 == 1 { reads++ } END { print sample "\t" reads }'''}
stdout: $(inputs.sample).count.tsv
outputs:
  count: stdout
