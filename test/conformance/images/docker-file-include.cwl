cwlVersion: v1.2
class: CommandLineTool
doc: The Dockerfile is a file beside the document; dockerImageId is a name for people.
requirements:
  DockerRequirement:
    dockerFile: {$include: Dockerfile}
    dockerImageId: hallmark-suite/included:1
inputs: []
outputs: {out: stdout}
baseCommand: [printenv, GREETING]
stdout: out.txt
