cwlVersion: v1.2
class: CommandLineTool
doc: The output directory is where dockerOutputDirectory says; stdout, globs and runtime.outdir follow.
requirements:
  DockerRequirement:
    dockerPull: debian:stable-slim
    dockerOutputDirectory: /results/here
inputs: []
outputs:
  out: stdout
  made: {type: File, outputBinding: {glob: sub/made}}
baseCommand: [sh, -c, 'mkdir sub; pwd > /results/here/sub/made; echo "$0"']
arguments: [$(runtime.outdir)]
stdout: out.txt
